"""browser.py - headless Chromium, driven through its pipe (--remote-debugging-pipe: JSON messages ended by a zero byte on
descriptors 3 and 4), so that neither a driver nor a port is needed. Every console message, exception and log entry is kept."""
import base64, json, os, select, subprocess, tempfile, time


class Browser:
    def __init__(self, program="/usr/bin/chromium"):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_us, from_browser = os.pipe()
        from_us, to_browser = os.pipe()

        def descriptors():
            # moved up first: 3 and 4 may be the pipes themselves
            read, write = os.dup(from_us), os.dup(from_browser)
            high = [fd if fd > 9 else os.dup2(fd, 20 + i) for i, fd in enumerate((read, write))]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=descriptors,
            start_new_session=True)
        os.close(from_us)
        os.close(from_browser)
        self.read_fd, self.write_fd, self.buffer, self.number, self.messages = to_us, to_browser, b"", 0, []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.read_fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            got = os.read(self.read_fd, 1 << 20)
            if not got:
                raise EOFError("the browser ended")
            self.buffer += got
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        what, p = message.get("method"), message.get("params", {})
        if what == "Runtime.consoleAPICalled":
            self.messages.append("console: " + " ".join(str(a.get("value", a.get("description"))) for a in p["args"]))
        elif what == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            self.messages.append("exception: " + d.get("exception", {}).get("description", d["text"]))
        elif what == "Log.entryAdded":
            self.messages.append(f"log: {p['entry']['text']}")
        elif what == "Network.requestWillBeSent" and not p["request"]["url"].startswith(("file:", "data:", "about:")):
            self.messages.append("request: " + p["request"]["url"][:200])
        elif what == "Page.javascriptDialogOpening":
            self.messages.append("dialog: " + p["message"])
        return what

    def call(self, method, timeout=60, **params):
        self.number += 1
        number, message = self.number, {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def open(self, path, width=1280, height=800, dark=False, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url="file://" + os.path.realpath(path))
        deadline = time.monotonic() + 60
        while self.evaluate("document.readyState") != "complete":
            if time.monotonic() > deadline:
                raise TimeoutError("the page does not load")
            time.sleep(0.02)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "failed: " + expression))
        return result["result"].get("value")

    def point(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def type(self, text):
        for c in text:
            self.call("Input.dispatchKeyEvent", type="char", text=c)

    def screenshot(self, path, whole=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close", timeout=10)
        except (OSError, RuntimeError, TimeoutError, EOFError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.read_fd)
        os.close(self.write_fd)
        self.profile.cleanup()
