"""How other tools do the increments that cilsim does, written from what their code does.

None of their code is used. Each module names repository, file and version. Files are not read and
nothing is logged; loaders have no worker processes on a CPU, which is the fastest setting there.
"""
