// No more boilerplate needed with top level statements (https://docs.microsoft.com/en-us/dotnet/core/tutorials/top-level-templates)
var client = new HttpClient();
var request = new HttpRequestMessage(HttpMethod.Post, "https://gnomic.nengyongai.cn/v1/images/generations");
request.Headers.Add("Authorization", "Bearer YOUR_API_KEY");
var content = new StringContent("{\n    \"model\": \"flux-pro-1.1-ultra\",\n    \"prompt\": \"A polished silver medal shaped like a hockey puck, on a deep blue ribbon\",\n    \"aspect_ratio\": \"1:1\"\n}", null, "application/json");
request.Content = content;
var response = await client.SendAsync(request);
response.EnsureSuccessStatusCode();
Console.WriteLine(await response.Content.ReadAsStringAsync());
