open Lwt
open Cohttp
open Cohttp_lwt_unix

let postData = ref "{\n    \"model\": \"flux-pro-1.1-ultra\",\n    \"prompt\": \"A polished silver medal shaped like a hockey puck, on a deep blue ribbon\",\n    \"aspect_ratio\": \"1:1\"\n}";;

let reqBody = 
    let uri = Uri.of_string "https://gnomic.nengyongai.cn/v1/images/generations" in
    let headers = Header.init ()
        |> fun h -> Header.add h "Authorization" "Bearer YOUR_API_KEY"
        |> fun h -> Header.add h "Content-Type" "application/json"
    in
    let body = Cohttp_lwt.Body.of_string !postData in

    Client.call ~headers ~body `POST uri >>= fun (_resp, body) ->
    body |> Cohttp_lwt.Body.to_string >|= fun body -> body

let () =
    let respBody = Lwt_main.run reqBody in
    print_endline (respBody)
