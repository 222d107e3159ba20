"""Loads exported models in a process that has no hw2, with the classes of their own libraries.

Called with the folder of the models and, optionally, an embedding of textual inversion.
"""

import importlib.util
import sys

import open_clip
import torch
from diffusers import DDIMPipeline, StableDiffusionPipeline

assert importlib.util.find_spec("hw2") is None
folder = sys.argv[1]
model = open_clip.create_model(f"local-dir:{folder}/clip").eval()
tokens = open_clip.get_tokenizer(f"local-dir:{folder}/clip")(["a photo of a red circle"])
side = model.visual.image_size
with torch.no_grad():
    assert torch.isfinite(model.encode_text(tokens)).all()
    assert torch.isfinite(model.encode_image(torch.zeros(1, 3, side, side))).all()

pipe = StableDiffusionPipeline.from_pretrained(f"{folder}/stable-diffusion")
pipe.set_progress_bar_config(disable=True)
prompt = "a photo of a red circle"
if len(sys.argv) > 2:
    pipe.load_textual_inversion(sys.argv[2])
    prompt = "a photo of a <new1>"
print({n: str(next(getattr(pipe, n).parameters()).dtype) for n in ("unet", "vae", "text_encoder")})
drawing = pipe(prompt, num_inference_steps=2, output_type="np").images[0]
faces = DDIMPipeline.from_pretrained(f"{folder}/faces")
faces.set_progress_bar_config(disable=True)
face = faces(num_inference_steps=2, output_type="np").images[0]
for image in (drawing, face):
    assert image.shape[0] == image.shape[1]
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0
