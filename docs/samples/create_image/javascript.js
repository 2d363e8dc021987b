const myHeaders = new Headers();
myHeaders.append("Authorization", "Bearer YOUR_API_KEY");
myHeaders.append("Content-Type", "application/json");

const raw = JSON.stringify({
    "model": "flux-pro-1.1-ultra",
    "prompt": "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
    "aspect_ratio": "1:1"
});

const requestOptions = {
    method: "POST",
    headers: myHeaders,
    body: raw,
    redirect: "follow"
};

fetch("https://gnomic.nengyongai.cn/v1/images/generations", requestOptions)
    .then((response) => response.text())
    .then((result) => console.log(result))
    .catch((error) => console.error(error));
