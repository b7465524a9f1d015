"""Side-by-side timings of the engine on this machine; the arms of `cilsim bench`.

`python -m benchmarks`, in the repository, adds those against other tools.
"""
