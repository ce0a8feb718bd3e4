"""The official `openai` package against a running server: openai_client.py BASE_URL. Says what differs and exits with 1."""

import asyncio
import sys

import openai

PROMPT = "It was a bright cold day"
MESSAGES = [{"role": "user", "content": "Tell me of the sea."}]


def check(condition, what):
    if not condition:
        sys.exit(f"differs: {what}")


def completions(client, model):
    whole = client.completions.create(model=model, prompt=PROMPT, max_tokens=12, temperature=0, logprobs=1)
    choice = whole.choices[0]
    check(whole.usage.completion_tokens == 12 and choice.finish_reason == "length", "usage of a completion")
    check(len(choice.logprobs.token_logprobs) == 12, "logprobs of a completion")
    events = list(
        client.completions.create(
            model=model, prompt=PROMPT, max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True}
        )
    )
    check("".join(c.text for e in events for c in e.choices) == choice.text, "a streamed completion")
    check(events[-1].usage.total_tokens == whole.usage.total_tokens, "usage of a stream")


def chats(client, model):
    whole = client.chat.completions.create(
        model=model, messages=MESSAGES, max_completion_tokens=12, temperature=0, logprobs=True, top_logprobs=2
    )
    message = whole.choices[0].message
    check(message.role == "assistant" and message.content, "a chat")
    check(len(whole.choices[0].logprobs.content) == whole.usage.completion_tokens, "logprobs of a chat")
    stream = client.chat.completions.create(
        model=model, messages=MESSAGES, max_completion_tokens=12, temperature=0, stream=True
    )
    check("".join(e.choices[0].delta.content or "" for e in stream) == message.content, "a streamed chat")


async def at_once(url, model):
    client = openai.AsyncOpenAI(base_url=url, api_key="none")
    answers = await asyncio.gather(
        *(client.completions.create(model=model, prompt=PROMPT, max_tokens=8, seed=7, n=2) for _ in range(4))
    )
    texts = {tuple(c.text for c in answer.choices) for answer in answers}
    check(len(texts) == 1, "the same seed at once")


def refusals(client, model):
    for wanted, param, ask in (
        (openai.NotFoundError, "model", lambda: client.completions.create(model="nothing", prompt="a")),
        (openai.BadRequestError, "temperature", lambda: client.completions.create(model=model, prompt="a", temperature=-1)),
        (openai.BadRequestError, "suffix", lambda: client.completions.create(model=model, prompt="a", suffix="b")),
    ):
        try:
            ask()
            check(False, f"no {wanted.__name__}")
        except wanted as error:
            check(error.body["param"] == param, f"the parameter of {error}")


def main():
    url = sys.argv[1]
    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    model = client.models.list().data[0].id
    completions(client, model)
    chats(client, model)
    asyncio.run(at_once(url, model))
    refusals(client, model)


main()
