"""Loads exported models in a process that has no hw2, with the classes of their own libraries.

Called with an embedding of textual inversion, the folder of the models that it is for, and further
folders of models. The import of the libraries takes longer than all of the work.
"""

import importlib.util
import sys

import open_clip
import torch
from diffusers import DDIMPipeline, StableDiffusionPipeline

assert importlib.util.find_spec("hw2") is None


def check(folder: str, embedding: str | None = None) -> None:
    model = open_clip.create_model(f"local-dir:{folder}/clip").eval()
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}/clip")(["a photo of a red circle"])
    side = model.visual.image_size
    with torch.no_grad():
        assert torch.isfinite(model.encode_text(tokens)).all()
        assert torch.isfinite(model.encode_image(torch.zeros(1, 3, side, side))).all()

    pipe = StableDiffusionPipeline.from_pretrained(f"{folder}/stable-diffusion")
    pipe.set_progress_bar_config(disable=True)
    prompt = "a photo of a red circle"
    if embedding:
        pipe.load_textual_inversion(embedding)
        prompt = "a photo of a <new1>"
    parts = ("unet", "vae", "text_encoder")
    print(folder, {name: str(next(getattr(pipe, name).parameters()).dtype) for name in parts})
    drawing = pipe(prompt, num_inference_steps=2, output_type="np").images[0]
    faces = DDIMPipeline.from_pretrained(f"{folder}/faces")
    faces.set_progress_bar_config(disable=True)
    face = faces(num_inference_steps=2, output_type="np").images[0]
    for image in (drawing, face):
        assert image.shape[0] == image.shape[1]
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.std() > 0


embedding, with_embedding, *others = sys.argv[1:]
check(with_embedding, embedding)
for folder in others:
    check(folder)
