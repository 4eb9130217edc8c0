"""What is stored between kernels: settings in files, and the key in a file or the system's keyring."""
