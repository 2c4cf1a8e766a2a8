"""A year of a station in simulated time: the station's own process code, its store on a real disk, and all around it simulated."""
