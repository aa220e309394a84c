"""Prepares the local stack after a deployment: runs `set_up()` of functions/<system>/local_setup.py of each deployed
system that has one."""

from systems import deployed


def main() -> None:
    """Prepares all deployed systems."""
    for system in deployed():
        if setup := system.module("local_setup"):
            setup.set_up()


if __name__ == "__main__":
    main()
