"""Asks a server of the kit with the official Python client, and prints what it saw as JSON.

    python served_to_python.py URL PROMPT
"""

import json
import sys

import openai


def main(url: str, prompt: str) -> None:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    ask = {"model": "decoder", "prompt": prompt, "max_tokens": 16, "temperature": 0, "logprobs": 2}
    whole = client.completions.create(**ask)
    stream = client.completions.create(**ask, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    drawn = [client.completions.create(**{**ask, "temperature": 1, "seed": seed}).choices[0].text for seed in (1, 1, 2)]
    chat_ask = {
        "model": "decoder",
        "messages": [{"role": "user", "content": prompt}],
        "max_completion_tokens": 8,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 2,
        "extra_body": {"template": "continue"},
    }
    chat = client.chat.completions.create(**chat_ask)
    chat_stream = client.chat.completions.create(**chat_ask, stream=True)
    errors = []
    for extra in ({"frequency_penalty": 1}, {"max_tokens": 1000}, {"model": "nobody"}):
        try:
            client.completions.create(**{**ask, **extra})
        except openai.APIStatusError as error:
            errors.append([type(error).__name__, error.status_code, error.code])
    print(
        json.dumps(
            {
                "version": openai.__version__,
                "models": [model.id for model in client.models.list()],
                "text": whole.choices[0].text,
                "logprobs": whole.choices[0].logprobs.token_logprobs,
                "usage": whole.usage.to_dict(),
                "streamed": "".join(chunk.choices[0].text for chunk in chunks if chunk.choices),
                "streamed_usage": chunks[-1].usage.to_dict(),
                "drawn": drawn,
                "chat": chat.choices[0].message.content,
                "chat_tokens": [token.token for token in chat.choices[0].logprobs.content],
                "chat_streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chat_stream if chunk.choices),
                "errors": errors,
            }
        )
    )


main(*sys.argv[1:])
