"""A user's first script with the generated client: type-checked strictly, never run."""

from __future__ import annotations

from flux_images_api import AuthenticatedClient
from flux_images_api.api.images import create_image
from flux_images_api.models import CreateImageRequest

with AuthenticatedClient(base_url="https://gateway.example", token="sk-mine") as client:
    pictures = create_image.sync(client=client, body=CreateImageRequest(model="flux-dev", prompt="a medal"))
    print([picture.url for picture in pictures.data or []])
    print(create_image.sync_detailed(client=client, body=CreateImageRequest("flux", "a fox")).parsed.to_dict())
