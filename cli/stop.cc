#include "cli/stop.h"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace muniment {
namespace {

volatile std::sig_atomic_t g_stop = 0;

extern "C" void on_signal(int signal_number) {
  g_stop = 1;
  std::signal(signal_number, SIG_DFL);
}

}  // namespace

void catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // What the parent chose to ignore (nohup) stays ignored.
    struct sigaction before{};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool stop_requested() {
  return g_stop != 0;
}

}  // namespace muniment
