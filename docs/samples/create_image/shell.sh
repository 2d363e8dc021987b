curl --location 'https://gnomic.nengyongai.cn/v1/images/generations' \
--header 'Authorization: Bearer YOUR_API_KEY' \
--header 'Content-Type: application/json' \
--data '{
    "model": "flux-pro-1.1-ultra",
    "prompt": "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
    "aspect_ratio": "1:1"
}'
