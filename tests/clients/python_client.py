"""The Python SDK's own client (1.x or 2.x) with its own OAuth. Prints AUTHORIZE <url>, reads the address that the browser
was sent back to from stdin, and calls a tool twice, with its access token grown old in between. Keeps its tokens in a
file, so that a second run needs no login."""

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

URL, FILE, WAIT = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
MAJOR = int(version("mcp").split(".")[0])


class Storage:
    def read(self):
        return json.loads(FILE.read_text()) if FILE.exists() else {}

    def write(self, name, value):
        FILE.write_text(json.dumps({**self.read(), name: json.loads(value.model_dump_json(exclude_none=True))}))

    async def get_tokens(self):
        found = self.read().get("tokens")
        return OAuthToken(**found) if found else None

    async def set_tokens(self, tokens):
        print("TOKENS", flush=True)
        self.write("tokens", tokens)

    async def get_client_info(self):
        found = self.read().get("client")
        return OAuthClientInformationFull(**found) if found else None

    async def set_client_info(self, info):
        self.write("client", info)


async def redirect(url):
    print("AUTHORIZE", url, flush=True)


async def callback():
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    query = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    if MAJOR == 1:
        return query["code"], query.get("state")
    from mcp.shared.auth import AuthorizationCodeResult

    return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))


provider = OAuthClientProvider(
    server_url=URL,
    client_metadata=OAuthClientMetadata(
        client_name="python",
        redirect_uris=["http://localhost:3030/callback"],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    ),
    storage=Storage(),
    redirect_handler=redirect,
    callback_handler=callback,
)


async def use(session):
    for turn in range(2):
        if turn > 0:
            await asyncio.sleep(WAIT)
        result = await session.call_tool("echo", {"text": f"turn {turn}"})
        print("ANSWER", result.content[0].text, flush=True)


async def main():
    if MAJOR == 1:
        from mcp.client.streamable_http import streamablehttp_client

        async with streamablehttp_client(URL, auth=provider) as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                await use(session)
        return
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    async with httpx2.AsyncClient(auth=provider, timeout=30) as http:
        async with Client(streamable_http_client(URL, http_client=http)) as client:
            await use(client)


asyncio.run(main())
