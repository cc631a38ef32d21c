// An open file, and writing to it: what the small files beside the database have in common.
#ifndef MUNIMENT_RECORDER_LOG_HELD_FILE_H_
#define MUNIMENT_RECORDER_LOG_HELD_FILE_H_

#include <string_view>

namespace muniment {

// Closes what open(2) gave when it goes; -1 is no file, and errno says why.
class HeldFile {
 public:
  explicit HeldFile(int file) : file_(file) {}
  ~HeldFile();
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;

  // The descriptor, for the calls that take one; the object keeps it.
  int get() const { return file_; }
  bool failed() const { return file_ < 0; }

 private:
  int file_;
};

// All bytes, however many calls it takes. False: errno says why.
bool write_whole(int file, std::string_view bytes);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_LOG_HELD_FILE_H_
