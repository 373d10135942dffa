"""Where customers write: the settings of each channel, and what is brought to it and from it."""
