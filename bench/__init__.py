"""Measurements that anyone can repeat: ``make bench``, or ``python -m bench`` with arguments.

Taxiway, psql, two other migration tools and the real Flyway do the same work on the same server, in one run and in
turns. Every figure is of whole processes, children included.

Terminology:

workload
    A folder of migrations, made by a deterministic generator (:mod:`bench.workloads`).
tool
    A program that is measured (:mod:`bench.tools`).
step
    What a tool is asked to do: show what is applied, or apply what is pending.
row
    Steps on a workload under conditions such as a delayed network; one table of the page (:mod:`bench.rows`).
sample
    What one run cost: wall time, CPU time, peak memory.
counted run
    A further run through a proxy that counts round trips; it has no part in the other figures.
"""
