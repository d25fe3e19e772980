"""What is kept from one run to the next: of each root what it did and what that rests on, so that only what a change concerns is solved again."""
