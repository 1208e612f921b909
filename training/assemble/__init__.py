"""TreeOfLife-10M (Stevens et al. 2024) put together from the three collections that it was made of."""
