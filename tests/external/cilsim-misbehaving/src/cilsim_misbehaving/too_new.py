cilsim_api = 2
