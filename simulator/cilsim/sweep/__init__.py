"""Many runs at a time: strategies x scenarios x seeds x options, on processes here or on Ray."""
