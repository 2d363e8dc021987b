from flux_images import FluxImages

with FluxImages("YOUR_API_KEY", base_url="https://gnomic.nengyongai.cn") as flux:
    generation = flux.generate(
        "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
        model="flux-pro-1.1-ultra",
        aspect_ratio="1:1",
    )
    generation.image.save("picture")
