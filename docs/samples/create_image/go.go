package main

import (
    "fmt"
    "strings"
    "net/http"
    "io"
)

func main() {

    url := "https://gnomic.nengyongai.cn/v1/images/generations"
    method := "POST"

    payload := strings.NewReader(`{
    "model": "flux-pro-1.1-ultra",
    "prompt": "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
    "aspect_ratio": "1:1"
}`)

    client := &http.Client {
    }
    req, err := http.NewRequest(method, url, payload)

    if err != nil {
        fmt.Println(err)
        return
    }
    req.Header.Add("Authorization", "Bearer YOUR_API_KEY")
    req.Header.Add("Content-Type", "application/json")

    res, err := client.Do(req)
    if err != nil {
        fmt.Println(err)
        return
    }
    defer res.Body.Close()

    body, err := io.ReadAll(res.Body)
    if err != nil {
        fmt.Println(err)
        return
    }
    fmt.Println(string(body))
}
