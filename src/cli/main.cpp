#include <string>
#include <vector>

#include "cli/command.h"

int main(int count, char** arguments) {
  return braid::cli::run_program(std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
}
