"""The engine: lower -> call graph -> propagate -> flows. Sources, sinks and guards are data, in ``models/*.toml``."""
