import subprocess

from taxiway.sources.known_hosts import SHIPPED_KNOWN_HOSTS

# From GitHub's documentation, "GitHub's SSH key fingerprints".
PUBLISHED = {
    "RSA": "SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
    "ECDSA": "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
    "ED25519": "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
}


def test_the_shipped_host_keys_have_the_fingerprints_that_github_publishes() -> None:
    command = ["ssh-keygen", "-l", "-f", "-"]
    shown = subprocess.run(command, check=True, input=SHIPPED_KNOWN_HOSTS, capture_output=True, text=True)
    found = {tuple(line.split()[1:]) for line in shown.stdout.splitlines()}
    assert found == {
        (fingerprint, host, f"({algorithm})")
        for algorithm, fingerprint in PUBLISHED.items()
        for host in ("github.com", "[ssh.github.com]:443")
    }
