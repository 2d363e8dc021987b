import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

let parameters = "{\n    \"model\": \"flux-pro-1.1-ultra\",\n    \"prompt\": \"A polished silver medal shaped like a hockey puck, on a deep blue ribbon\",\n    \"aspect_ratio\": \"1:1\"\n}"
let postData = parameters.data(using: .utf8)

var request = URLRequest(url: URL(string: "https://gnomic.nengyongai.cn/v1/images/generations")!,timeoutInterval: Double.infinity)
request.addValue("Bearer YOUR_API_KEY", forHTTPHeaderField: "Authorization")
request.addValue("application/json", forHTTPHeaderField: "Content-Type")

request.httpMethod = "POST"
request.httpBody = postData

let task = URLSession.shared.dataTask(with: request) { data, response, error in 
    guard let data = data else {
        print(String(describing: error))
        exit(EXIT_SUCCESS)
    }
    print(String(data: data, encoding: .utf8)!)
    exit(EXIT_SUCCESS)
}

task.resume()
dispatchMain()
