"""Which stream and which strategy suit some data: a survey, a ladder of runs, a ranking."""
