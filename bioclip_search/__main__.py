"""`python -m bioclip_search` is the command `bioclip-search`."""

from bioclip_search.cli import main

main()
