import java.io.*;
import okhttp3.*;
public class Main {
    public static void main(String []args) throws IOException{
        OkHttpClient client = new OkHttpClient().newBuilder()
            .build();
        MediaType mediaType = MediaType.parse("application/json");
        RequestBody body = RequestBody.create(mediaType, "{\n    \"model\": \"flux-pro-1.1-ultra\",\n    \"prompt\": \"A polished silver medal shaped like a hockey puck, on a deep blue ribbon\",\n    \"aspect_ratio\": \"1:1\"\n}");
        Request request = new Request.Builder()
            .url("https://gnomic.nengyongai.cn/v1/images/generations")
            .method("POST", body)
            .addHeader("Authorization", "Bearer YOUR_API_KEY")
            .addHeader("Content-Type", "application/json")
            .build();
        Response response = client.newCall(request).execute();
        System.out.println(response.body().string());
    }
}
