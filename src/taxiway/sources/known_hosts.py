"""Host keys that Taxiway ships, as lines of an OpenSSH ``known_hosts`` file.

They are those that GitHub publishes in its documentation ("GitHub's SSH key fingerprints"). Shipped, because
asking the host itself at run time (``ssh-keyscan``) makes whoever answers github.com.
"""

from typing import Final

_ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
_ECDSA = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YR"
    "rYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
)
_RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCj7ndNxQowgcQnjshcLrqPEiiphnt+VTTvDP6mHBL9j1aNUkY4Ue1gvwnGLVlOhGeYrn"
    "ZaMgRK6+PKCUXaDbC7qtbW8gIkhL7aGCsOr/C56SJMy/BCZfxd1nWzAOxSDPgVsmerOBYfNqltV9/hWCqBywINIR+5dIg6JTJ72pcEpEjc"
    "YgXkE2YEFXV1JHnsKgbLWNlhScqb2UmyRkQyytRLtL+38TGxkxCflmO+5Z8CSSNY7GidjMIZ7Q4zMjA2n1nGrlTDkzwDCsw+wqFPGQA179"
    "cnfGWOWRVruj16z6XyvxvjJwbz0wQZ75XK5tKSb7FNyeIEs4TT4jk+S4dhPeAUC5y+bDYirYgM4GC7uEnztnZyaVWQ7B381AK4Qdrwt51Z"
    "qExKbQpTUNn+EjqoTwvqNj4kqx5QUCI0ThS/YkOxJCXmPUWZbhjpCg56i+2aB6CmK2JGhn57K5mj0MNdBXA4/WnwH6XoPWJzK5Nyu2zB3n"
    "AZp+S5hpQs+p1vN1/wsjk="
)

GITHUB_KEYS: Final = (_ED25519, _ECDSA, _RSA)

# The second name is GitHub's SSH server on the port of HTTPS, for networks that let nothing else out.
_GITHUB_HOSTS = ("github.com", "[ssh.github.com]:443")

SHIPPED_KNOWN_HOSTS: Final = "".join(f"{host} {key}\n" for host in _GITHUB_HOSTS for key in GITHUB_KEYS)
