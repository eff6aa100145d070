#include "peer.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace backdrop::bench {

Peer::Peer(const std::filesystem::path& program) : name_(program.filename().string()) {
  std::signal(SIGPIPE, SIG_IGN);    // a peer that died is told by the end of its answers
  std::array<int, 2> to{}, from{};  // each: read here, write there
  if (pipe(to.data()) != 0 || pipe(from.data()) != 0) throw std::runtime_error("no pipe to a peer");
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("no process for a peer");
  if (process_ == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
    // libtorch has two pools, OpenMP's and OpenBLAS's, and is fastest if one does not spin while the other
    // works.
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  requests_.reset(fdopen(to[1], "w"));
  answers_.reset(fdopen(from[0], "r"));
}

Peer::~Peer() {
  requests_.reset();  // the end of its input, at which it ends
  answers_.reset();
  waitpid(process_, nullptr, 0);
}

std::string Peer::version() { return ask("version"); }

std::optional<Sampler> Peer::sampler_of(const std::string& row, int threads) {
  if (ask("prepare " + std::to_string(threads) + " " + row) != "ready") return std::nullopt;
  return [this] { return std::stod(ask("sample")); };
}

std::string Peer::ask(const std::string& request) {
  std::fprintf(requests_.get(), "%s\n", request.c_str());
  std::fflush(requests_.get());
  std::string answer;
  for (int c = std::fgetc(answers_.get()); c != '\n'; c = std::fgetc(answers_.get())) {
    if (c == EOF) throw std::runtime_error(name_ + " ended when asked '" + request + "'");
    answer += static_cast<char>(c);
  }
  return answer;
}

}  // namespace backdrop::bench
