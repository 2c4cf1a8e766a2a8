"""Every parser against whatever bytes there can be: a value, or the error it documents; never anything else, never for ever."""
