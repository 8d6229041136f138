"""One module (or package) per functional block, named as part 2 names it. No block imports another."""
