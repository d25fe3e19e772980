"""The guard, for the views to say what they need of it."""

from stopper import Stopper

stopper = Stopper(sentry="enforce")
