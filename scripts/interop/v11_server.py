"""A server that verifies with SDK 11, after the recipe of its guide, and says who called."""

import os
import sys

import uvicorn
from bittensor import http_auth
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/1/score/alerts")
async def score(request: Request):
    body = await request.body()
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    try:
        caller = http_auth.verify(
            dict(request.headers), body, method=request.method, path=path, self_hotkey_ss58=os.environ["MINER"]
        )
    except http_auth.AuthError as error:
        return JSONResponse({"detail": str(error)}, status_code=401)
    return {"caller": caller.hotkey_ss58}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
