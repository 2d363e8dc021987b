import 'dart:convert';
import 'package:http/http.dart' as http;

void main() async {
    var headers = {
        'Authorization': 'Bearer YOUR_API_KEY',
        'Content-Type': 'application/json'
    };
    var request = http.Request('POST', Uri.parse('https://gnomic.nengyongai.cn/v1/images/generations'));
    request.body = json.encode({
        "model": "flux-pro-1.1-ultra",
        "prompt": "A polished silver medal shaped like a hockey puck, on a deep blue ribbon",
        "aspect_ratio": "1:1"
    });
    request.headers.addAll(headers);
    
    http.StreamedResponse response = await request.send();
    
    if (response.statusCode == 200) {
        print(await response.stream.bytesToString());
    }
    else {
        print(response.reasonPhrase);
    }
    
}
