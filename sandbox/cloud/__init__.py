"""The AWS account of the sandbox: the moto emulator, and what it lacks for running tasks.

moto knows the shape of the API. In here is what happens behind it: RunTask really starts a process, writes its
output to the log stream and ends the task with its exit code; whoever has assumed a role is held to its policies;
and what goes wrong on AWS now and then can be switched on (:mod:`sandbox.cloud.faults`).

Terminology:

agent
    What plays Fargate: takes a task from PROVISIONING to STOPPED.
image
    What a container's image would bring: a command, an environment and a digest. Only images that were pushed to
    the sandbox's registry can be pulled.
operator
    Who calls without having assumed a role. May do everything.

Everything but :mod:`sandbox.cloud.iam`, which is pure, belongs to the process of the emulator.
"""
