"""The whole system beside its peers in one run: `make bench DATA=FOLDER`."""
