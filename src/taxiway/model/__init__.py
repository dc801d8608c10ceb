"""The vocabulary: frozen values and enums, with no behaviour beyond their own."""
