require "uri"
require "json"
require "net/http"

url = URI("https://gnomic.nengyongai.cn/v1/images/generations")

https = Net::HTTP.new(url.host, url.port)
https.use_ssl = true

request = Net::HTTP::Post.new(url)
request["Authorization"] = "Bearer YOUR_API_KEY"
request["Content-Type"] = "application/json"
request.body = JSON.dump({
    "model": "flux-pro-1.1-ultra",
    "prompt": "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
    "aspect_ratio": "1:1"
})

response = https.request(request)
puts response.read_body
