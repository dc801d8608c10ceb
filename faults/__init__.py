"""The fault campaign: everything that can break a run, done to real runs on a real server (``make faults``).

Terminology:

fault
    What is done to a run: its connection is cut, its process is killed or stopped, its server fails.
trial
    One run with one fault, what was found right after it, and the runs that finish the job.
point
    One side of one message between client and server: nothing of it was passed on yet, or all of it.
case
    A project of migrations and the options that it is run with.
effect
    A row that a statement of a migration adds to the table ``ledger.effects``. There is no key, so what is done
    twice is there twice.
boundary
    A state in which every migration is applied as a whole with its row in the history, or not at all.
"""
