// "Read again what can be read again", from whoever notices the wish to whoever can do it.
//
// Thread safety: all members from any thread. Ownership: shared by the signal thread and the run.
#pragma once

#include <functional>
#include <mutex>

namespace plexsphere::host::apps {

class Reloads {
 public:
  // Runs the action; a wish before there is one is kept for it. Returns when it is done.
  void ask();
  // What to do from now on.
  void set(std::function<void()> action);
  // Returns when the action does not run any more and will not.
  void clear();

 private:
  std::mutex mutex_;
  std::function<void()> action_;
  bool asked_ = false;
};

}  // namespace plexsphere::host::apps
