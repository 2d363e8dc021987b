library(httr)

headers = c(
    'Authorization' = 'Bearer YOUR_API_KEY',
    'Content-Type' = 'application/json'
)

body = '{
    "model": "flux-pro-1.1-ultra",
    "prompt": "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
    "aspect_ratio": "1:1"
}';

res <- VERB("POST", url = "https://gnomic.nengyongai.cn/v1/images/generations", body = body, add_headers(headers))

cat(content(res, 'text'))
