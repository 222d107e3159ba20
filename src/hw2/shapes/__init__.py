"""The embedded world of pictures with captions: what the small CLIP and Stable Diffusion learn."""
