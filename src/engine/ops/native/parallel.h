// Rows of a large op on several threads, as many as TensorFlow has for its own ops. Each row is worked on by one thread
// in the same way, so that the numbers do not depend on how many there are.
#ifndef IFT_KIT_PARALLEL_H_
#define IFT_KIT_PARALLEL_H_

#include <stdint.h>
#include <stdlib.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace ift_kit {

class Helpers {
 public:
  // Made at the first large op and never ended: at the end of the process the threads wait and hold nothing.
  static Helpers& Get() {
    static Helpers* helpers = new Helpers();
    return *helpers;
  }

  // Calls work(begin, end) for parts of [0, count), one of them on this thread; returns when all are done.
  void Run(int64_t count, const std::function<void(int64_t, int64_t)>& work) {
    const int64_t parts = number_ + 1;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      count_ = count;
      open_ = number_;
      round_++;
    }
    start_.notify_all();
    work(count * number_ / parts, count);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return open_ == 0; });
  }

  int64_t number() const { return number_; }

 private:
  Helpers() {
    const char* threads = getenv("TF_NUM_INTRAOP_THREADS");
    number_ = threads == nullptr ? 0 : atoi(threads) - 1;
    if (number_ < 0) number_ = 0;
    for (int64_t index = 0; index < number_; index++) std::thread(&Helpers::Serve, this, index).detach();
  }

  void Serve(int64_t index) {
    int64_t served = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      start_.wait(lock, [&] { return round_ != served; });
      served = round_;
      const auto& work = *work_;
      const int64_t parts = number_ + 1, begin = count_ * index / parts, end = count_ * (index + 1) / parts;
      lock.unlock();
      work(begin, end);
      lock.lock();
      if (--open_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(int64_t, int64_t)>* work_ = nullptr;
  int64_t number_ = 0, count_ = 0, open_ = 0, round_ = 0;
};

// Below so many values, waking a thread costs more than it saves.
constexpr int64_t kLarge = 1 << 18;

// Calls work(begin, end) for parts of [0, rows), on several threads where the rows have many values.
template <typename Work>
void ForRows(int64_t rows, int64_t values_of_row, const Work& work) {
  if (rows > 1 && rows * values_of_row >= kLarge && Helpers::Get().number() > 0) {
    Helpers::Get().Run(rows, work);
  } else {
    work(0, rows);
  }
}

}  // namespace ift_kit

#endif  // IFT_KIT_PARALLEL_H_
