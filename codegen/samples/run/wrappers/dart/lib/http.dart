// The parts of package:http that the sample uses, on top of dart:io.
import 'dart:convert';
import 'dart:io';

class Request {
  Request(this.method, this.url);
  final String method;
  final Uri url;
  final Map<String, String> headers = {};
  String body = '';

  Future<StreamedResponse> send() async {
    final client = HttpClient();
    final request = await client.openUrl(method, url);
    headers.forEach(request.headers.set);
    final bytes = utf8.encode(body);
    request.contentLength = bytes.length;
    request.add(bytes);
    final response = await request.close();
    final text = await response.transform(utf8.decoder).join();
    client.close();
    return StreamedResponse(response.statusCode, response.reasonPhrase, Body(text));
  }
}

class Body {
  Body(this.text);
  final String text;
  Future<String> bytesToString() async => text;
}

class StreamedResponse {
  StreamedResponse(this.statusCode, this.reasonPhrase, this.stream);
  final int statusCode;
  final String? reasonPhrase;
  final Body stream;
}
