"""Events, commands and broker topology of Blazz: data, no I/O."""
