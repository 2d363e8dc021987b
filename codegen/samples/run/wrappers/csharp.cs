// Mono has no top-level statements, and sometimes hangs when it ends by itself.
using System;
using System.Net.Http;
using System.Threading.Tasks;

class Program
{
    static async Task Sample()
    {
        @SAMPLE@
    }

    static void Main()
    {
        Sample().Wait();
        Environment.Exit(0);
    }
}
