// Loads the TensorFlow library without the two lines that it writes to stderr on every start:
//
//   WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
//   I0000 00:00:... port.cc:153] oneDNN custom operations are on. You may see slightly different numerical results ...
//
// They come from constructors that run while the library is loaded, before any log level is looked at. So standard
// error goes to a file in memory during the load, and all its other lines are written out afterwards: nothing else is
// lost. Then the log library is told that it is ready and from which level on it shall write (TF_CPP_MIN_LOG_LEVEL).
//
// It also keeps signals away from the thread that computes: see KeepSignalsOffThisThread.
#include <dlfcn.h>
#include <node_api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace {

const char* const kKnownNoise[] = {
    "All log messages before absl::InitializeLog() is called",
    "oneDNN custom operations are on.",
};

bool IsKnownNoise(const std::string& line) {
  for (const char* noise : kKnownNoise) {
    if (line.find(noise) != std::string::npos) return true;
  }
  return false;
}

// While it lives, file descriptor 2 is a file in memory; its lines are written to the real one at the end.
class HeldStandardError {
 public:
  HeldStandardError() {
    real_ = dup(STDERR_FILENO);
    held_ = memfd_create("ift-kit-stderr", MFD_CLOEXEC);
    if (real_ >= 0 && held_ >= 0) dup2(held_, STDERR_FILENO);
  }

  ~HeldStandardError() {
    if (real_ < 0 || held_ < 0) return;
    fflush(stderr);
    dup2(real_, STDERR_FILENO);
    std::string text;
    char buffer[4096];
    lseek(held_, 0, SEEK_SET);
    for (ssize_t count; (count = read(held_, buffer, sizeof buffer)) > 0;) text.append(buffer, count);
    for (size_t start = 0; start < text.size();) {
      size_t end = text.find('\n', start);
      if (end == std::string::npos) end = text.size() - 1;
      const std::string line = text.substr(start, end + 1 - start);
      if (!IsKnownNoise(line)) fwrite(line.data(), 1, line.size(), stderr);
      start = end + 1;
    }
    fflush(stderr);
    close(held_);
    close(real_);
  }

 private:
  int real_ = -1;
  int held_ = -1;
};

// oneDNN's generated matrix product does not survive a signal that is handled on the thread that runs it: with a handler
// installed (a training run has one for Ctrl-C), about one signal in a hundred corrupted memory. With one intra-op
// thread Node's main thread computes, and the system prefers it for signals to the process. So it blocks them: Node's
// other threads take them (a handler of libuv only writes to a pipe), the threads that TensorFlow starts inherit the
// mask, and libuv gives child processes a clean one.
void KeepSignalsOffThisThread() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCHLD, SIGCONT, SIGUSR1, SIGUSR2, SIGPIPE, SIGPROF,
                     SIGALRM}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void SetLogLevel(void* library) {
  // The names carry the version of Abseil that this TensorFlow was built with; where they differ, logs stay as they are.
  using Initialize = void (*)();
  using SetThreshold = void (*)(int);
  auto initialize = reinterpret_cast<Initialize>(
      dlsym(library, "_ZN4absl12lts_2025081412log_internal14SetInitializedEv"));
  auto set_threshold = reinterpret_cast<SetThreshold>(
      dlsym(library, "_ZN4absl12lts_2025081418SetStderrThresholdENS0_18LogSeverityAtLeastE"));
  if (initialize == nullptr || set_threshold == nullptr) return;
  const char* level = getenv("TF_CPP_MIN_LOG_LEVEL");
  set_threshold(level == nullptr ? 2 : atoi(level));
  initialize();
}

std::vector<std::string> StringsOf(napi_env env, napi_value array) {
  std::vector<std::string> strings;
  uint32_t length = 0;
  napi_get_array_length(env, array, &length);
  for (uint32_t index = 0; index < length; index++) {
    napi_value element;
    char text[4096];
    size_t size = 0;
    napi_get_element(env, array, index, &element);
    if (napi_get_value_string_utf8(env, element, text, sizeof text, &size) == napi_ok) strings.emplace_back(text, size);
  }
  return strings;
}

// load(paths: string[]): string. Loads each library, so that later users find it by its name; returns the problem of
// the dynamic linker, or "".
napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  std::string problem;
  KeepSignalsOffThisThread();
  {
    HeldStandardError held;
    for (const std::string& path : StringsOf(env, argument)) {
      void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      if (library == nullptr) {
        const char* message = dlerror();
        problem = message == nullptr ? "unknown problem of the dynamic linker" : message;
        break;
      }
      SetLogLevel(library);
    }
  }
  napi_value result;
  napi_create_string_utf8(env, problem.data(), problem.size(), &result);
  return result;
}

napi_value Initialize(napi_env env, napi_value exports) {
  napi_value load;
  napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, nullptr, &load);
  napi_set_named_property(env, exports, "load", load);
  return exports;
}

}  // namespace

NAPI_MODULE(ift_kit_quiet, Initialize)
