"""Measurements that anyone can repeat. Figures are of whole processes, children included."""
