from __future__ import annotations

from cilsim.testing import DomainContract


class TestFinetune(DomainContract):
    strategy = "finetune"


class TestNmc(DomainContract):
    strategy = "nmc"


class TestNmcTaskFree(DomainContract):
    strategy = "nmc"
    options = {"preset": "task_free"}
    changes = {"backbone": "identity"}


class TestSlda(DomainContract):
    strategy = "slda"


class TestRanpac(DomainContract):
    strategy = "ranpac"
    options = {"random_features": 64}


class TestJoint(DomainContract):
    strategy = "joint"
